"""Settings of the application, as far as they concern its database."""

import os

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': 'edu',
        'USER': 'edu',
        'PASSWORD': os.environ['DATABASE_PASSWORD'],
        'HOST': 'legacy.bbu.invalid',
        'PORT': '5432',
        'CONN_MAX_AGE': 60,
    },
}
